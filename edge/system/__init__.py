"""Process and operating system: files, signals, standard streams, logs, resources."""
