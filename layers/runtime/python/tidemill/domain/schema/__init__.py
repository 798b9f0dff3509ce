"""The schemas of contracts: what they are, how two differ, and whether the new one reads what the old one wrote."""
