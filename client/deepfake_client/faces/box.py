"""Where a face is."""

Box = tuple[float, float, float, float]  # x, y, width, height in pixels of the picture as shown
