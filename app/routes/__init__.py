"""One module per noun; each holds the routes of its noun."""
