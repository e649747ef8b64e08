"""The obvious design, fairly written, for the suite to compare with."""
