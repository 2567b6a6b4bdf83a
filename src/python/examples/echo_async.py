#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
import asyncio

import dispatcher_worker


async def echo(connection, reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


asyncio.run(dispatcher_worker.serve_async(echo))
