# Request logs hold addresses with their query. Those of Facebook's redirect hold a login code, and a sender that puts its
# relay key into the query shows it there: neither is kept. The functions write a line of their own for each request,
# without the query.
resource "google_logging_project_exclusion" "secrets_in_addresses" {
  name        = "secrets-in-addresses"
  description = "Requests whose address holds a login code, a signed link or a relay key"
  filter = join(" AND ", [
    "(resource.type=\"cloud_run_revision\" OR resource.type=\"http_load_balancer\")",
    "(httpRequest.requestUrl:\"/callback\" OR httpRequest.requestUrl:\"/start?\" OR httpRequest.requestUrl:\"/resume?\" OR httpRequest.requestUrl:\"access_token=\")",
  ])
}

# What is counted in the functions' lines: `message` is the line's text, as it stands in the code.
locals {
  log_counts = {
    dead_letters = {
      messages = ["dead letter recorded", "malformed message, recorded as dead letter"]
      label    = "reason"
    }
    events_held       = { messages = ["events are held until somebody acts"], label = "reason" }
    unexpected_errors = { messages = ["unexpected error", "unexpected error, the message is delivered again"], label = "function" }
    graph_failures    = { messages = ["Graph call failed"], label = "errorReason" }
    graph_classes     = { messages = ["Graph call failed"], label = "errorClass" }
    graph_versions    = { messages = ["Meta answered with another version"], label = "answeredVersion" }
    job_failures      = { messages = ["job failed"], label = "function" }
    steps_done        = { messages = ["step done"], label = "step" }
    steps_waiting     = { messages = ["step waits"], label = "step" }
    steps_failed      = { messages = ["step failed"], label = "step" }
    tokens_lost = {
      messages = [
        "tenants without a working token",
        "system token could not be replaced",
        "no usable version left: nothing is sent for this tenant",
      ]
      label = "function"
    }
  }

  function_lines = "resource.type=\"cloud_run_revision\""
}

resource "google_logging_metric" "count" {
  for_each = local.log_counts

  name   = "meta-ads/${each.key}"
  filter = "${local.function_lines} AND (${join(" OR ", [for message in each.value.messages : "jsonPayload.message=\"${message}\""])})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    labels {
      key        = each.value.label
      value_type = "STRING"
    }
  }

  label_extractors = {
    (each.value.label) = "EXTRACT(jsonPayload.${each.value.label})"
  }
}

# Numbers in lines, as shared/contracts/metrics.ts lists them (a test holds one to the other): the line's text, the field,
# its unit, and what else it is told apart by.
locals {
  measures = merge(
    {
      delivery_latency = { message = "message settled", field = "latencyMs", unit = "ms", label = null }
      accepted_events  = { message = "message settled", field = "accepted", unit = "1", label = null }
      batch_events     = { message = "events sent", field = "events", unit = "1", label = null }
      usage_percent    = { message = "usage at Meta", field = "percent", unit = "%", label = "useCase" }
      match_quality    = { message = "match quality read", field = "score", unit = "1", label = null }
    },
    {
      for verdict in local.verdicts :
      "relay_${verdict}" => { message = "events counted", field = verdict, unit = "1", label = null }
    },
  )

  measured = {
    for name in keys(local.measures) : name => "metric.type=\"logging.googleapis.com/user/meta-ads/${name}\" AND resource.type=\"cloud_run_revision\""
  }
}

resource "google_logging_metric" "measure" {
  for_each = local.measures

  name            = "meta-ads/${each.key}"
  filter          = "${local.function_lines} AND jsonPayload.message=\"${each.value.message}\""
  value_extractor = "EXTRACT(jsonPayload.${each.value.field})"
  label_extractors = {
    for label in [each.value.label] : label => "EXTRACT(jsonPayload.${label})" if label != null
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit

    dynamic "labels" {
      for_each = each.value.label == null ? [] : [each.value.label]

      content {
        key        = labels.value
        value_type = "STRING"
      }
    }
  }

  # From 0.01 to some ten million, each bound half as much again as the one before.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 52
      growth_factor      = 1.5
      scale              = 0.01
    }
  }
}
