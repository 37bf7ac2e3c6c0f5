"""One rule at a time over all entries, in DuckDB, from the Parquet file.

usage: history_peer.py FOLDER RULES

Counts with `select count(*) from FOLDER/entries.parquet where ...` how many entries fulfil each of the first RULES rules
of FOLDER/rules.jsonl, each in a query of its own. One thread. Prints one line of JSON: processor seconds of all queries
and the counts. The file is read once before, so that it comes from memory for everybody.
"""

import json
import resource
import sys

import duckdb


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


folder, count = sys.argv[1], int(sys.argv[2])
with open(f"{folder}/rules.jsonl") as lines:
    rules = [json.loads(line) for _, line in zip(range(count), lines)]
connection = duckdb.connect()
connection.execute("set threads = 1")
connection.execute(f"select count(*), max(second) from '{folder}/entries.parquet'").fetchone()
begun = processor_seconds()
counts = [
    connection.execute(f"select count(*) from '{folder}/entries.parquet' where {rule['sql']}").fetchone()[0]
    for rule in rules
]
print(json.dumps({"cpu_s": processor_seconds() - begun, "counts": counts}))
