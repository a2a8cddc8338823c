"""Bridges: subscribers that hand what a running foal-edge publishes to LSL, OSC, MQTT and ROS 2."""
