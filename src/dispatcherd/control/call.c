/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/call.h"

const char *control_call_text(const struct control_call *call, const char *name)
{
    return json_string_value(json_object_get(call->parameters, name));
}

json_t *control_no_such_service(const char *name)
{
    return varlink_error(CONTROL_INTERFACE ".NoSuchService", json_pack("{s:s}", "service", name));
}
