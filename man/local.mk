dist_man_MANS += man/tcp_smtp_server.8
