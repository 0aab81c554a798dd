"""Starts and watches the wheel's tritonserver."""
