package languages

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// NeedsOpenSSL skips the test unless Python's gRPC is linked with OpenSSL, like Debian's.
// PyPI's grpcio uses BoringSSL. BoringSSL refuses the certificates of go-plugin's hosts,
// and no configuration file can change this.
func NeedsOpenSSL(t *testing.T) {
	t.Helper()
	where := exec.CommandContext(t.Context(), findPython(t), "-c", "import grpc._cython.cygrpc as c; print(c.__file__)")
	path, err := where.Output()
	if err != nil {
		t.Fatal(err)
	}
	library, err := os.ReadFile(strings.TrimSpace(string(path)))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(library, []byte("boringssl")) {
		t.Skip("needs: a grpcio linked with OpenSSL (Debian's python3-grpcio)")
	}
}
