// This program is a host. It keeps notes with the plugin at the path in its argument.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/generated/notes"
	notesv2 "github.com/jackfield-go/jackfield/examples/proto/notes/v2"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/notes-plugin")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string) (err error) {
	client, process, err := notesv2.OpenNoteService(ctx, host.Config{
		Handshake: notes.Handshake,
		Versions:  notes.Versions().Core(),
		Command:   host.Command(path),
		AutoMTLS:  host.MTLSRequired,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, process.Close()) }()
	for _, try := range []func(context.Context, notesv2.NoteService) error{add, importAll, list, export} {
		if err := try(ctx, client); err != nil {
			return err
		}
	}
	return nil
}

// approver is lent to the plugin. Its error comes back through the plugin.
type approver struct{}

func (approver) Approve(_ context.Context, req *notesv2.ApproveRequest) (*notesv2.ApproveResponse, error) {
	if strings.Contains(req.GetText(), "secret") {
		return nil, fmt.Errorf("%w: it has a secret", notesv2.ErrRefused)
	}
	return &notesv2.ApproveResponse{}, nil
}

func add(ctx context.Context, client notesv2.NoteService) error {
	for _, text := range []string{"buy apples", "a secret", ""} {
		resp, err := client.Add(ctx, &notesv2.AddRequest{Text: text}, approver{})
		switch {
		case errors.Is(err, notesv2.ErrRefused), errors.Is(err, notesv2.ErrEmpty):
			fmt.Printf("not added: %v\n", err)
		case err != nil:
			return err
		default:
			fmt.Printf("added %q as number %d\n", text, resp.GetNumber())
		}
	}
	return nil
}

func importAll(ctx context.Context, client notesv2.NoteService) error {
	resp, err := client.Import(ctx, func(yield func(*notesv2.ImportRequest, error) bool) {
		for _, text := range []string{"water the plants", "sleep"} {
			if !yield(&notesv2.ImportRequest{Text: text}, nil) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	fmt.Printf("imported %d\n", resp.GetCount())
	return nil
}

func list(ctx context.Context, client notesv2.NoteService) error {
	for resp, err := range client.List(ctx, &notesv2.ListRequest{}) {
		if err != nil {
			return err
		}
		fmt.Println("listed:", resp.GetText())
	}
	return nil
}

func export(ctx context.Context, client notesv2.NoteService) error {
	var file strings.Builder
	if _, err := client.Export(ctx, &notesv2.ExportRequest{}, &file); err != nil {
		return err
	}
	fmt.Printf("exported %d bytes\n", file.Len())
	return nil
}
