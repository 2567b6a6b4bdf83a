dist_man_MANS += \
	%D%/dispatcher-worker.3 \
	%D%/dispatcher-worker.7
