"""Price wars: moves, buyers, sellers, demand, equilibria, risk and indexes."""
