"""The demonstration: the whole main job on the invented city 汐見市, told as it happens."""
