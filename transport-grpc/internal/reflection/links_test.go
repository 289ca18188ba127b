package reflection

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Its initialisation is what this package is there to avoid.
func TestTheTransportDoesNotLinkProtodesc(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs: go on the PATH")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	list := exec.CommandContext(ctx, "go", "list", "-deps", "../..")
	output, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(output))
	if !slices.Contains(packages, "google.golang.org/protobuf/types/descriptorpb") {
		t.Errorf("descriptorpb, without which options are lost, is not among %d packages", len(packages))
	}
	for _, heavy := range []string{"google.golang.org/protobuf/reflect/protodesc", "google.golang.org/grpc/reflection"} {
		if slices.Contains(packages, heavy) {
			t.Errorf("transport-grpc links %s", heavy)
		}
	}
}
