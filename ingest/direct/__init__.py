"""The direct way: admitted events go straight to the screeners, over streams that stay open."""
