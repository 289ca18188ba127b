package verify_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/verify"
)

var greeterHandshake = core.Handshake{MagicCookieKey: "GREETER_PLUGIN", MagicCookieValue: "b7c1a0de"}

// A program runs only if it has the sum written down at its installation.
func ExampleChecksum() {
	sum, err := hex.DecodeString("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	if err != nil {
		fmt.Println(err)
		return
	}
	self, err := os.Executable() // stands for the plugin
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = host.Launch(context.Background(), host.Config{
		Handshake: greeterHandshake,
		Versions:  core.Versions{1: {&faketransport.Transport{}}},
		Command:   host.Command(self),
		Verify:    verify.Config{Verifier: verify.Checksum(crypto.SHA256, sum)},
	})
	var failure *host.LaunchError
	var mismatch *verify.ChecksumError
	if errors.As(err, &failure) && errors.As(err, &mismatch) {
		fmt.Println("stage:", failure.Stage)
		fmt.Printf("expected: %x…\n", mismatch.Want[:4])
		fmt.Println("found another one:", len(mismatch.Got), "bytes of", mismatch.Hash)
	}
	// Output:
	// stage: verify
	// expected: e3b0c442…
	// found another one: 32 bytes of SHA-256
}

// An administrator keeps a file of sums away from the plugins' directory; it decides
// about all plugins. The cache spares later launches the work.
func ExampleSumsFile() {
	programs := new(verify.Cache) // one for the whole application
	defer programs.Close()

	client, err := host.Launch(context.Background(), host.Config{
		Handshake: greeterHandshake,
		Versions:  core.Versions{1: {&faketransport.Transport{}}},
		Command:   host.Command("/opt/greeter/plugins/greeter-plugin"),
		Verify: verify.Config{
			Verifier: verify.SumsFile(crypto.SHA256, "/etc/greeter/SHA256SUMS"),
			Cache:    programs,
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
}

// A file beside the program has a signature of its sum, and the application knows the
// signer's key. Sum is computed once for all launches with the same cache.
func ExampleFunc() {
	verifySignature := func(ctx context.Context, program *verify.Program) error {
		signature, err := os.ReadFile(program.Path() + ".sig")
		if err != nil {
			return fmt.Errorf("the signature is missing: %w", err)
		}
		sum, err := program.Sum(ctx, crypto.SHA512)
		if err != nil {
			return err
		}
		return ed25519.VerifyWithOptions(publisher, sum, signature, &ed25519.Options{Hash: crypto.SHA512})
	}
	programs := new(verify.Cache)
	defer programs.Close()
	client, err := host.Launch(context.Background(), host.Config{
		Handshake: greeterHandshake,
		Versions:  core.Versions{1: {&faketransport.Transport{}}},
		Command:   host.Command("./greeter-plugin"),
		Verify:    verify.Config{Verifier: verify.Func(verifySignature), Cache: programs},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
}

// publisher is the key of whoever publishes plugins.
var publisher ed25519.PublicKey
