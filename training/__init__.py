"""From the corpus to trained weights, and from the weights to the ONNX versions that Triton serves."""
