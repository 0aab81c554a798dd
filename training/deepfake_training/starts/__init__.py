"""Weights to start from that installed packages carry."""
