#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) dispatcherd contributors
import dispatcher_worker


def echo(connection):
    while data := connection.socket.recv(4096):
        connection.socket.sendall(data)


dispatcher_worker.serve(echo)
