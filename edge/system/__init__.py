"""The process on its system: files, signals, standard streams, logs, resources."""
