# The six things one does here. Each is a short call of a script in tools/,
# which says at its top what it needs and what it leaves behind.
# Arguments go through ARGS: make test ARGS='-p chancery-db'

.PHONY: run demo test check bench soak

run: ; @tools/run.sh $(ARGS)
demo: ; @tools/demo.sh $(ARGS)
test: ; @tools/test.sh $(ARGS)
check: ; @tools/check.sh $(ARGS)
bench: ; @tools/bench.sh $(ARGS)
soak: ; @tools/soak.sh $(ARGS)
