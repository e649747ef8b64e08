"""Hand-made training texts: templates in TOML, and what makes rows of them."""
