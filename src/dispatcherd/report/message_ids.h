/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Identifiers (MESSAGE_ID of the journal) of the events that an administrator acts on. An
 * identifier never changes its meaning, and is never used for another event. */
#pragma once

#define MESSAGE_ID_STARTED "c566cef399d74c5a836f53900a25a25c" /* the daemon is ready */
#define MESSAGE_ID_STOPPED "30f95ab5d4d849f6b464c3eefa22f4ea" /* the daemon has stopped */
#define MESSAGE_ID_CONFIG_REFUSED                                                                  \
    "856f6d131c6f4c72b9ba3f231c54df57" /* dispatcher.cnf cannot be used */
#define MESSAGE_ID_CONFIG_WARNING                                                                  \
    "b48f32f8c6b94422bcfb0e6f7ffae7e0" /* something in dispatcher.cnf is not as meant */
#define MESSAGE_ID_CANNOT_BIND "b1da01296b674034957db989795ccfbc" /* a port could not be bound */
#define MESSAGE_ID_SOCKET_MISMATCH                                                                 \
    "0968d8e710144b13aa9885c6b36edb95" /* a socket is not what dispatcher.cnf says */
#define MESSAGE_ID_SOCKET_UNKNOWN                                                                  \
    "f82c1572d1b041918ce4967bff558004" /* a socket's name is no service */
#define MESSAGE_ID_SOCKET_MISSING "bb9bca39abbb43bfbeb5df332abb6186" /* a service has no socket */
#define MESSAGE_ID_SOCKET_LOST    "589f326b594d4bbbbb15efd304723b40" /* a socket no longer listens */
#define MESSAGE_ID_SOCKET_AGAIN                                                                    \
    "704a8bf3603b414bb66bef0d4fe32b8f" /* a service has all its sockets again */
#define MESSAGE_ID_START_FAILED                                                                    \
    "2e663b901e394f78887e7afda56a266b" /* a worker could not be started */
#define MESSAGE_ID_WORKER_DIED                                                                     \
    "4980867ca75f4c00af5cab97d2931592" /* a worker died by a signal or with an error */
#define MESSAGE_ID_WORKER_HUNG                                                                     \
    "a2d1cddd44694d5fae54417b995ddd50" /* a worker did not do in time what it must */
#define MESSAGE_ID_WORKER_LIED                                                                     \
    "0bba175ce3a3451186f6b1a5fa3bc188" /* a worker broke the protocol                              \
                                        */
#define MESSAGE_ID_WORKER_LINGERS                                                                  \
    "3510cbcb22c44e1396603ac85b71510d" /* a worker has set SO_LINGER */
#define MESSAGE_ID_SERVICE_FULL                                                                    \
    "3bb40409f5704b9db7ea967f40d33a30" /* every place of a service is taken */
#define MESSAGE_ID_SERVICE_HAS_ROOM                                                                \
    "3e24b518c35b4cd4a38ad7604944b724" /* a full service has room again */
#define MESSAGE_ID_CLIENTS_WAIT         "dc5f3beb07db466d83ee98e7d5e11e6a" /* clients wait for too long */
#define MESSAGE_ID_CLIENTS_WAIT_NO_MORE "86796b0a329346258faa058976ae25f1" /* and no longer do */
#define MESSAGE_ID_WORKERS_DIE          "9c8ce47d34704672a9b761416cbdb3cb" /* workers die in a row */
#define MESSAGE_ID_WORKERS_DIE_NO_MORE  "cb04ae4e4e68429e81f6a586d4e90d04" /* and no longer do */
#define MESSAGE_ID_EVERYBODY_REFUSED                                                               \
    "7a8355f68a3945ca85e58dde22ec7dc5" /* a service rejects all its clients */
#define MESSAGE_ID_ADMITS_AGAIN "c671c75708e94b489c4cd4571eba8d9c" /* and admits some again */
#define MESSAGE_ID_BACKEND_AWAY                                                                    \
    "7c1b8ae50d0149b2854977b080fe15ca" /* workers lack a server that they need */
#define MESSAGE_ID_BACKEND_AGAIN "f8425f885f3b43d3a3fe19cfa45d3c7c" /* and have it again */
#define MESSAGE_ID_CERTIFICATE_BAD                                                                 \
    "c701896a5e8e4e6aa420c0e383d0ad9a" /* cannot be used, or expires soon */
#define MESSAGE_ID_CERTIFICATE_GOOD "69040549ba634cc18d02b537d52db25d" /* it is valid again */
#define MESSAGE_ID_STRESS           "c68a92cfc96146dc951b24e82431eb1d" /* nearly every place is taken */
#define MESSAGE_ID_STRESS_OVER      "b967675125554977ae7148b1eb6fbfbe" /* and no longer */
#define MESSAGE_ID_ACCEPT_FAILED                                                                   \
    "b2e6b04e770e43058189aeb9d244f8bb" /* accepting pauses for lack of a resource */
#define MESSAGE_ID_SESSIONS_CUT                                                                    \
    "c6dcfe4a81014532afa6e6622f9c230f" /* sessions were cut because the time for stopping was over \
                                        */
#define MESSAGE_ID_LINES_LEFT_OUT                                                                  \
    "be1e7ebc79604178ad7aa3700bb2e88e" /* lines of one kind were too many, and are summed up */
#define MESSAGE_ID_STORE_FULL                                                                      \
    "275c1f22b66b41e0914726cb9e7d20fd" /* workers that a successor could not take over */
#define MESSAGE_ID_NOT_WATCHED                                                                     \
    "3bae8c6947cf40018e3ce42b6083c759" /* the ends of connections that are passed on cannot be     \
                                          seen */
#define MESSAGE_ID_LOGFILE_FAILED                                                                  \
    "480c0b67c26644728dd620af9c89318c" /* a LOGFILE could not be opened */
#define MESSAGE_ID_RECORDING_FAILED                                                                \
    "cc901fa1a8c14fa78644fc511c7fa76b" /* a RECORD could not be written */
#define MESSAGE_ID_CONTROL_FAILED                                                                  \
    "e4cb733e3c4349c5a209db9cc3a861f7" /* the control socket could not be made */
#define MESSAGE_ID_CONTROL_CROWDED                                                                 \
    "8ee12b5a61504c5e8701b9eb2296211f" /* the control socket has more clients than places */
#define MESSAGE_ID_ACCESS_DENIED                                                                   \
    "73373d3458a6430c92bad9666f2666ed" /* a client was rejected (DEBUG bit 24) */
#define MESSAGE_ID_MAPPING_NOTE                                                                    \
    "a3c3e48fabf14b5b96a5afaa5582124a" /* an entry of PORT_ACCESS has a note: $< or $> */
#define MESSAGE_ID_MAPPING_LIMIT                                                                   \
    "39d8d0a1f2754f3f8c0f7c2b9b1d4e86" /* PORT_ACCESS was given up, and the client admitted */
#define MESSAGE_ID_FLEET_AWAY                                                                      \
    "5c7bb82f806745159988a0dc504c8494" /* the store of a fleet is away                             \
                                        */
#define MESSAGE_ID_FLEET_AGAIN   "65b10223856644a88d67d2c396c84982" /* and back */
#define MESSAGE_ID_FLEET_SKEW    "990d831f80ea47b39d8d364a9941d7ac" /* its clock differs from ours */
#define MESSAGE_ID_DNS_LIST_ILL  "5b1e0c9f24d74a6c9d3f1a0e8c7b6d52" /* a DNS list is set aside */
#define MESSAGE_ID_DNS_LIST_WELL "e94a7d2c1f0b4c35a8e6d9b07f3c2a18" /* and used again */
