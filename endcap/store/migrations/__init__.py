"""How a store's tables came about, one file per step."""
