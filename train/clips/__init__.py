"""Training on clips: the audio encoder and the fusion together, on frozen image embeddings."""
