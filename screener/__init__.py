"""The screening service: what the rules, the model and earlier events say of an event becomes its verdict."""
