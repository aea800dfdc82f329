"""Lists and calls every tool of `grace-rules mcp` with the protocol's own SDK; what it was answered, as one line of JSON each."""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

CALLS = {
    "plan": {},
    "cost": {"what": "app/core/kernel.py"},
    "gate": {},
    "explain": {"what": "tier"},
    "check": {},
    "graph_query": {"set": "tag(kernel)"},
}


async def main(command):
    server = StdioServerParameters(command=command, args=["mcp"], env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        print(json.dumps({"tools": sorted(tool.name for tool in tools)}))
        for tool in tools:
            answer = await session.call_tool(tool.name, CALLS[tool.name])
            text = answer.content[0].text
            failed = getattr(answer, "is_error", None) or getattr(answer, "isError", None) or False
            print(json.dumps({"tool": tool.name, "failed": failed, "answer": json.loads(text)}))
        rules = await session.read_resource("grace://rules")
        print(json.dumps({"rules": rules.contents[0].text}))


asyncio.run(main(sys.argv[1]))
