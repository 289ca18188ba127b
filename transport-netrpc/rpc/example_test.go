package rpc_test

import (
	"context"
	"fmt"
	"net"

	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
)

// Abacus has one callable method.
type Abacus struct{}

func (Abacus) Sum(_ context.Context, numbers []int, sum *int) error {
	for _, n := range numbers {
		*sum += n
	}
	return nil
}

// One side serves an object, the other calls it.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	here, there := net.Pipe()
	service, err := rpc.NewService(Abacus{})
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		services := map[string]*rpc.Service{rpc.DefaultService: service}
		_ = rpc.Serve(ctx, there, services, rpc.ServerConfig{MaxMessageSize: 1 << 20})
	}()

	client := rpc.NewClient(here, rpc.ClientConfig{})
	defer client.Close()
	var sum int
	err = client.Call(ctx, "Sum", []int{1, 2, 3}, &sum)
	fmt.Println(sum, err)
	// Output: 6 <nil>
}
