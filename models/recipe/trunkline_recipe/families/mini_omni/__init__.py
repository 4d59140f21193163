"""Mini-Omni (Xie and Wu, 2024): eight streams in, eight heads out, one small language model that hears and speaks."""
