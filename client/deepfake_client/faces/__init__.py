"""Faces: found, followed through a clip, cut to crops."""
