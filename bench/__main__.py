"""The command line: `python -m bench [CASE ...]`."""

import argparse
import json
import sys
from pathlib import Path
from signal import SIGTERM, signal

from bench.cases import CASES
from bench.failure import Failure
from bench.options import TARGETS, Options
from bench.required import missed
from bench.targets import raise_file_limit


def main(arguments: list[str]) -> int:
    """Run cases, one JSON line on stdout for each measurement; 1 where one of them failed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all by default")
    parser.add_argument("--target", choices=TARGETS, default=Options.target)
    parser.add_argument("--seconds", type=float, default=Options.seconds, help="length of a measured window")
    parser.add_argument("--warm-up", type=float, default=Options.warm_up, metavar="SECONDS")
    parser.add_argument("--scale", type=float, default=Options.scale, help="of pairs and connections")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="sample the target with py-spy")
    parser.add_argument("--gil", action="store_true", help="of the samples, only those that hold the GIL")
    parser.add_argument(
        "--check", action="store_true", help="fail where a node does not reach what it has to"
    )
    parsed = vars(parser.parse_args(arguments))
    check = parsed.pop("check")
    names = parsed.pop("cases") or list(CASES)
    unknown = [name for name in names if name not in CASES]
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}")
    options = Options(**parsed)
    raise_file_limit()
    signal(SIGTERM, lambda *_: sys.exit("terminated"))  # so that no child process is left behind
    failed = False
    for name in names:
        try:
            for fields in CASES[name](options):
                line = {"case": name, "target": options.target, **fields}
                print(json.dumps(line), flush=True)
                for words in missed(line) if check else ():
                    print(f"{name}: {words}", file=sys.stderr, flush=True)
                    failed = True
        except Failure as failure:
            print(f"{name}: {failure}", file=sys.stderr, flush=True)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
