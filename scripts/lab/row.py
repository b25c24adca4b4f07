"""Of what a machine said (scripts/lab/jobs/ground.py): a line of the table. Arguments: the kernel that was to be booted, the file of what was said. Ends
with 1 where it did not come to its end, or something was not as doctor said or as it must be."""

import json
import sys

kernel, said = sys.argv[1], open(sys.argv[2], errors="replace").read()
rows = [json.loads(line[4:]) for line in said.splitlines() if line.startswith("ROW ")]
if not rows:
    print(f"| {kernel} | | | | | | | | | did not come to its end |")
    sys.exit(1)
row = rows[-1]
cells = [
    row["kernel"],
    row["machine"],
    f"ABI {row['abi']}",
    f"{row['root']}, {row['user']}",
    row["demo"],
    f"{row['honest']}, {row['apart']} ({row['sockets']})",
    f"{row['thieves']}, {row['exposed']}",
    "{} s, {} s".format(*row["clock"]),
    "; ".join(row["weaker"]),
    "; ".join(row["faults"]).replace("|", "/"),
]
print("| " + " | ".join(cells) + " |")
sys.exit(1 if row["faults"] else 0)
