"""LLaMA-Omni (Fang et al., 2024): Whisper's states in a language model's space, and a speech decoder on its hidden states."""
