"""What is published and answered over ZeroMQ and HTTP, and how the other side reads it."""
