"""ONNX Runtime: step graphs built and run, threads, processes."""
