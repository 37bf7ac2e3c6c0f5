"""The same entries by ten million parties.

usage: many_entities.py FOLDER

Writes FOLDER/parties-1.parquet and parties-2.parquet: the eight million entries of FOLDER/entries.parquet, each by a party
of its own, and once more by the parties from two million on, ten million in all.
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

folder = sys.argv[1]
entries = pq.read_table(f"{folder}/entries.parquet")
for number, first in ((1, 0), (2, 2_000_000)):
    party = pa.array(np.arange(first, first + len(entries), dtype=np.int32))
    pq.write_table(entries.append_column("party", party), f"{folder}/parties-{number}.parquet")
