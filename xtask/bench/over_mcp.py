"""A warm plan over the Model Context Protocol beside `git status`: wall time of each, an edit before each.

Arguments: the binary, a repository, a file in it. Prints a line of JSON: milliseconds, sorted.
Its name is not that of the package, which Python would take for it.
"""

import asyncio
import json
import os
import subprocess
import sys
import time

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

ROUNDS = 60


def edit(path, text, value):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{text}\n\ndef of_the_benchmark():\n    return {value}\n")


def status(tree, path, text):
    times = []
    for value in range(ROUNDS):
        edit(path, text, value)
        begun = time.perf_counter()
        subprocess.run(["git", "status"], cwd=tree, stdout=subprocess.DEVNULL, check=True)
        times.append(1000 * (time.perf_counter() - begun))
    return sorted(times)


async def plans(binary, tree, path, text):
    server = StdioServerParameters(command=binary, args=["mcp"], cwd=tree, env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        for value in range(3):
            edit(path, text, 1000 + value)
            await session.call_tool("plan", {})
        times = []
        for value in range(ROUNDS):
            edit(path, text, value)
            begun = time.perf_counter()
            answer = await session.call_tool("plan", {})
            times.append(1000 * (time.perf_counter() - begun))
            plan = json.loads(answer.content[0].text)
            assert plan["change"]["files"] == 1, plan
        return sorted(times)


def main():
    binary, tree, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    git = status(tree, path, text)
    plan = asyncio.run(plans(binary, tree, path, text))
    print(json.dumps({"git": git, "plan": plan}))


main()
