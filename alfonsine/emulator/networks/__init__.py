"""Dense networks as CONNECT and CosmoPower have them, trained on sets of any size."""
