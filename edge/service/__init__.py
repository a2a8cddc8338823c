"""Integration with service managers and monitoring."""
