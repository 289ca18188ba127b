package pluginreflect_test

import (
	"fmt"

	"github.com/jackfield-go/jackfield/proto/pluginreflect"
)

// A tool finds the definition behind a name.
func ExampleResolver() {
	resolver := pluginreflect.Resolver(nil)
	descriptor, err := resolver.FindDescriptorByName("plugin.GRPCController.Shutdown")
	if err != nil {
		fmt.Println(err)

		return
	}
	fmt.Println(descriptor.FullName(), "is in", descriptor.ParentFile().Path())
	// Output: plugin.GRPCController.Shutdown is in plugin/controller.proto
}
