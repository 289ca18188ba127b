//go:build !unix

package plugin

import "os"

// standardOutput is the program's original standard output, read by the host whatever os.Stdout is
// by the time of Serve.
var standardOutput = os.Stdout

// descriptor has nothing to do here: the platform's standard handle is looked
// up once, when the program starts.
type descriptor struct{}

func (*descriptor) save() (*os.File, error) { return standardOutput, nil }

func (*descriptor) point(*os.File) {}

func (*descriptor) restore() {}

// redirect ends the source after the output written so far. Later output is
// lost until restoreVariables.
func (c *captured) redirect(*os.File) {
	_ = c.write.Close()
	c.source.Finish()
}

// restoreVariables puts the process's own outputs back. A goroutine that prints
// at that moment races with it: there is no other way on this platform.
func (o *output) restoreVariables() {
	os.Stdout, os.Stderr = o.own, o.log
}
