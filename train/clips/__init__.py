"""Clips with sound and picture: the audio encoder and the fusion trained together, on frozen image embeddings."""
