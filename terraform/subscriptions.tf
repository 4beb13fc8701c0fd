# Our own push subscriptions: those that Eventarc makes take no dead-letter policy, so what they give up on is lost.
resource "google_pubsub_subscription" "push" {
  for_each = local.subscribers

  name  = each.key
  topic = google_pubsub_topic.topic[each.value.trigger.topic].id
  # Longer than the function may take, or a message comes again while it is being worked on.
  ack_deadline_seconds       = min(each.value.timeoutSeconds + 30, 600)
  message_retention_duration = each.value.trigger.topic == "dead-letters" ? "2678400s" : "604800s"
  enable_message_ordering    = try(each.value.ordering, false)

  push_config {
    # The path lets functions-framework see which topic a message belongs to.
    push_endpoint = "${google_cloudfunctions2_function.function[each.key].service_config[0].uri}/projects/${var.project_id}/topics/${each.value.trigger.topic}"

    oidc_token {
      service_account_email = google_service_account.pubsub_push.email
      audience              = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  # Dead letters themselves are tried until they are recorded.
  dynamic "dead_letter_policy" {
    for_each = can(each.value.maxAttempts) ? [each.value.maxAttempts] : []

    content {
      dead_letter_topic     = google_pubsub_topic.topic["dead-letters"].id
      max_delivery_attempts = dead_letter_policy.value
    }
  }

  # Never expires.
  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub itself signs the pushes.
resource "google_service_account_iam_member" "pubsub_signs_pushes" {
  service_account_id = google_service_account.pubsub_push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.agents.pubsub
}
