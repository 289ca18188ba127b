package runner_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/jackfield-go/jackfield/core/runner"
)

func ExampleProcess() {
	ctx := context.Background()
	p := runner.NewProcess(helper("exit", "3")) // this test, as a plugin
	if err := p.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	go io.Copy(io.Discard, p.Stderr())
	if _, err := io.Copy(io.Discard, p.Stdout()); err != nil {
		fmt.Println(err)
	}
	exit, err := p.Wait(ctx)
	fmt.Println(exit, err)
	// Output: exit status 3 <nil>
}

func ExampleStartError() {
	p := runner.NewProcess(runner.Command{Path: "/plugins/that/are/not/there"})
	err := p.Start(context.Background())
	var failure *runner.StartError
	fmt.Println(errors.As(err, &failure), errors.Is(err, fs.ErrNotExist))
	fmt.Println(failure.Reason)
	// Output:
	// true true
	// "/plugins/that/are/not/there" does not exist, since the directory "/plugins" does not (the path exists up to "/"): check the path, or build or install the plugin there
}

// container runs a plugin with another path for the host's socket directory.
type container struct {
	runner.Runner // whatever starts it

	host, guest string
}

func (c container) PluginToHost(network, address string) (string, string, error) {
	rest, ok := strings.CutPrefix(address, c.guest+"/")
	if network != "unix" || !ok {
		return "", "", fmt.Errorf("container: %s %q cannot be reached from outside", network, address)
	}
	return network, path.Join(c.host, rest), nil
}

func ExampleAddrTranslator() {
	c := container{host: "/run/user/1000/jackfield", guest: "/sockets"}
	fmt.Println(c.PluginToHost("unix", "/sockets/plugin.sock"))
	// Output: unix /run/user/1000/jackfield/plugin.sock <nil>
}
