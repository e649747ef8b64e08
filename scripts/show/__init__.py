"""How a run looks: a table for people, plain lines for pipes, JSON for programs."""
