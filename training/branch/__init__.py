"""Training of the risk branch with torch; everything else in `training` does without it."""
