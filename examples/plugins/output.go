package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/jackfield-go/jackfield/discovery/store"
)

// output prints plugins: a table for people, JSON for programs.
type output struct {
	w    io.Writer
	json bool
}

// shown is a plugin in the JSON output.
type shown struct {
	store.Item

	Error string `json:"error,omitempty"`
}

// all prints all plugins.
func (o output) all(items []store.Item) error {
	if len(items) == 0 && !o.json {
		_, err := fmt.Fprintln(o.w, "no plugins")
		return err
	}
	return o.some(items)
}

// some prints the plugins of an action.
func (o output) some(items []store.Item) error {
	switch {
	case o.json:
		return o.asJSON(items)
	case len(items) == 0:
		return nil // the error gives the reason
	}
	table := tabwriter.NewWriter(o.w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tVERSION\tPLATFORM\tSTATE\tSHA-256")
	for _, item := range items {
		sum := item.Sum.String()
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", cmp.Or(item.Name, "-"), cmp.Or(item.Version.String(), "-"),
			cmp.Or(item.Platform.String(), "-"), item.State, cmp.Or(sum[:min(len(sum), 12)], "-"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, item := range items {
		if item.Err != nil {
			fmt.Fprintf(o.w, "%s: %v\n", cmp.Or(item.ID.String(), "-"), item.Err)
		}
	}
	return nil
}

func (o output) asJSON(items []store.Item) error {
	list := make([]shown, len(items))
	for i, item := range items {
		list[i].Item = item
		if item.Err != nil {
			list[i].Error = item.Err.Error()
		}
	}
	encoder := json.NewEncoder(o.w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Plugins []shown `json:"plugins"`
	}{list})
}
