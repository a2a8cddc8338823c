"""Field test: labelled recordings under the conditions of real rooms, judged by the runtime's own code."""
