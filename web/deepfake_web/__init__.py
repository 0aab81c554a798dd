"""REST API and upload page."""
