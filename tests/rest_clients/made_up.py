"""Calls that schemathesis makes up from the OpenAPI document of a daemon: any names and bodies in one half, and in the other
half calls about the connector `inventory`, which must be there.

None may be answered with an error of the server (5xx), later than after 10 s, or otherwise than the document says.

made_up.py URL CASES: at least so many calls are made.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def operations(url):
    """How many operations the document has: each gets as many examples, besides the cases of the coverage phase."""
    with urllib.request.urlopen(f"{url}/openapi.json", timeout=30) as answer:
        paths = json.load(answer)["paths"]
    return sum(len(set(item) - {"parameters"}) for item in paths.values())


def part(url, config, cases, *more):
    """Runs one half; gives the number of its cases and whether all went well."""
    examples = cases // operations(url) + 1
    with tempfile.TemporaryDirectory() as place:
        file = pathlib.Path(place, "schemathesis.toml")
        file.write_text(config)
        command = [pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", file, "run", f"{url}/openapi.json",
                   "--checks", CHECKS, "--max-response-time", "10", "--request-timeout", "20", "--continue-on-failure",
                   "--no-shrink", "--suppress-health-check", "all", "--workers", "1", "--warnings", "off",
                   "--max-examples", str(examples), *more]
        done = subprocess.run(command, capture_output=True, text=True, cwd=place, timeout=3000)
    made = sum(int(number.replace(",", "")) for number in re.findall(r"([\d,]+) generated", done.stdout))
    if done.returncode != 0 or made == 0:
        print(done.stdout, done.stderr, sep="\n")
    return made, done.returncode == 0


def main():
    url, cases = sys.argv[1], int(sys.argv[2])
    anything = part(url, "", cases // 2)
    # Without the call that takes the connector away, and those about no connector.
    about_one = part(url, '[parameters]\n"path.connector" = "inventory"\n"path.task" = 0\n', cases // 2,
                     "--include-path-regex", r"^/connectors/\{connector\}", "--exclude-operation-id", "deleteConnectorsConnector")
    made, is_fine = anything[0] + about_one[0], anything[1] and about_one[1]
    # Some operations have fewer different calls than were asked for.
    while is_fine and made < cases:
        more, is_fine = part(url, "", cases - made, "--phases", "fuzzing")
        made += more
    if not is_fine:
        sys.exit(f"{made} calls were made up, and not all were answered as they must be")
    print(f"{made} calls were made up: as expected")


main()
