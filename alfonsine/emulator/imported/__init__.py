"""Networks that were trained elsewhere: CosmoPower, CosmoPower-JAX, and what was converted from them.

file -> plain values (`restricted`, `archive`) -> `ImportedNetwork` (`layouts`)
     -> + what no file says: logarithm, units, ranges (`side_table`) -> `Emulator` (`convert`)
"""
